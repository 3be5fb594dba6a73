// An application in a pod: the official OpenAI client, which calls the Service by its name. Run by `kubectl exec`; what it
// is to do comes as its argument, what came of it goes to its output as JSON.
//
// `once`: one request. `load`: many workers, each with one request after another, until its input ends; says `begun` when
// every worker has sent its first.

import { setTimeout as delay } from 'node:timers/promises';
import OpenAI from 'openai';

/** What to do. */
interface Task {
  readonly mode: 'once' | 'load' | 'wait';
  readonly key?: string;
  readonly model?: string;
  readonly stream?: boolean;
  readonly content?: string;
  /** Of the official client; 2 is what it does by itself. */
  readonly maxRetries?: number;
  readonly workers?: number;
  readonly pauseMs?: number;
  /** What a whole answer ends with. */
  readonly lastPiece?: string;
}

/** What came of one request. */
interface Outcome {
  readonly text?: string;
  readonly finish?: string | undefined;
  readonly status?: number | undefined;
  readonly error?: string;
  readonly backend?: string | undefined;
}

const failuresKept = 10;
const startMs = 1000;
const task = JSON.parse(process.argv[2] ?? '{"mode":"wait"}') as Task;
const client = new OpenAI({
  baseURL: process.env['BASE_URL'] ?? '',
  apiKey: task.key ?? process.env['API_KEY'] ?? '',
  maxRetries: task.maxRetries ?? 0,
});

if (task.mode === 'wait') {
  // The pod is there to be executed in.
  process.once('SIGTERM', () => process.exit(0));
  setInterval(() => {}, 60_000);
} else {
  console.log(JSON.stringify(task.mode === 'once' ? await ask() : await load()));
}

async function ask(): Promise<Outcome> {
  const body = {
    model: task.model ?? 'chat',
    messages: [{ role: 'user' as const, content: task.content ?? 'Hello' }],
  };
  let text = '';
  try {
    if (task.stream !== true) {
      const { data, response } = await client.chat.completions.create(body).withResponse();
      const [choice] = data.choices;
      return { text: choice?.message.content ?? '', finish: choice?.finish_reason, ...headOf(response) };
    }
    const { data, response } = await client.chat.completions.create({ ...body, stream: true }).withResponse();
    let finish: string | undefined;
    for await (const { choices } of data) {
      text += choices[0]?.delta.content ?? '';
      finish = choices[0]?.finish_reason ?? finish;
    }
    return { text, finish, ...headOf(response) };
  } catch (error) {
    return { text, error: messageOf(error), status: (error as { readonly status?: number }).status };
  }
}

function headOf(response: Response): Pick<Outcome, 'status' | 'backend'> {
  return { status: response.status, backend: response.headers.get('x-sluice-backend') ?? undefined };
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause === undefined ? message : `${message} (${messageOf(cause)})`;
}

async function load(): Promise<object> {
  let stopped = false;
  process.stdin.on('end', () => (stopped = true)).resume();
  let requests = 0;
  let failed = 0;
  let truncated = 0;
  const backends: Record<string, number> = {};
  const failures: object[] = [];
  async function work(): Promise<void> {
    while (!stopped) {
      const outcome = await ask();
      requests += 1;
      backends[outcome.backend ?? 'none'] = (backends[outcome.backend ?? 'none'] ?? 0) + 1;
      const isWhole = outcome.finish === 'stop' && (outcome.text ?? '').trimEnd().endsWith(task.lastPiece ?? '');
      if (outcome.error !== undefined) failed += 1;
      else if (!isWhole) truncated += 1;
      if ((outcome.error !== undefined || !isWhole) && failures.length < failuresKept) {
        failures.push({ ...outcome, text: outcome.text?.slice(-40), at: new Date().toISOString() });
      }
      await delay(task.pauseMs ?? 0);
    }
  }
  const working = Array.from({ length: task.workers ?? 1 }, work);
  // Until connections are open, and first answers have begun.
  await delay(startMs);
  console.log('begun');
  await Promise.all(working);
  return { requests, failed, truncated, backends, failures };
}
