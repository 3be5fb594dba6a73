// Every limit of the data port, each with its reason. Values in bytes, milliseconds or counts, as the name's end says.

/** What the data port takes from clients, and how long it waits for them. */
export interface IngressLimits {
  /** One request body, also after decompression: what the largest provider takes (Anthropic, 32 MB). */
  readonly bodyBytesMax: number;
  /** All bodies held at once: they stay until their answers are complete, so this bounds the process's memory. */
  readonly bodyBytesHeldMax: number;
  /** Chunks of a request body below this size are small: reading one costs as much as reading a thousand bytes. */
  readonly smallChunkBytes: number;
  /** Small chunks of one body: a third of a second's work, which no encoder that writes by the token comes near. */
  readonly smallChunksMax: number;
  /** How much larger than its compressed form a body may become: JSON stays below 30, a bomb is near 1,000. */
  readonly inflateRatioMax: number;
  /** Below this size the ratio is not looked at: short repetitive prompts do compress that well. */
  readonly inflateFreeBytes: number;
  /** Request line and header fields together: Node's own default, far above any SDK's 2 KiB. */
  readonly headerBytesMax: number;
  /** Header fields of one request: SDKs send about 20, a chain of proxies adds 10. */
  readonly headerFieldsMax: number;
  /** From the first byte of a request to the end of its head: a head is one or two packets. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the end of its body: 32 MiB at 4.5 Mbit/s. Answers are not under it. */
  readonly requestTimeoutMs: number;
  /** How often those two are looked at, and so how late they may be. */
  readonly connectionsCheckIntervalMs: number;
  /** Idle connections stay longer than any load balancer in front keeps its own (usually 60 s), so that it closes first. */
  readonly keepAliveTimeoutMs: number;
  /** A client that takes nothing of what is ready for it is cut: it holds memory and an upstream. */
  readonly writeStallTimeoutMs: number;
  /** Connections of the process: each may hold some 256 KiB of buffers and one file descriptor. */
  readonly connectionsMax: number;
  /** Connections of one address; 0 is no limit, as behind a load balancer all have few addresses. */
  readonly connectionsPerAddressMax: number;
  /** Requests that wait on one connection behind the one that is being answered: no known client sends any. */
  readonly pipelinedMax: number;
  /** How long a refused client may go on sending before its connection is destroyed: a reset could destroy our answer. */
  readonly lingerMs: number;
  /** While draining, how long open connections are served: long enough for every pool to have noticed. */
  readonly drainServeMs: number;
  /** After the drain's deadline, how long answers may take to say that they failed. */
  readonly drainCutMs: number;
}

/** What is used unless told otherwise. */
export const defaultIngressLimits: IngressLimits = {
  bodyBytesMax: 32 * 1024 * 1024,
  bodyBytesHeldMax: 512 * 1024 * 1024,
  smallChunkBytes: 32,
  smallChunksMax: 100_000,
  inflateRatioMax: 100,
  inflateFreeBytes: 1024 * 1024,
  headerBytesMax: 16 * 1024,
  headerFieldsMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  connectionsCheckIntervalMs: 1000,
  keepAliveTimeoutMs: 72_000,
  writeStallTimeoutMs: 60_000,
  connectionsMax: 16_384,
  connectionsPerAddressMax: 0,
  pipelinedMax: 16,
  lingerMs: 2000,
  drainServeMs: 5000,
  drainCutMs: 1000,
};
