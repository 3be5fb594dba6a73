// Whole gateways as processes of their own, `sluice run` with one Redis between them, and what the tests ask them.

import { readFile } from 'node:fs/promises';
import { Agent, type ClientRequest, request } from 'node:http';
import { startProgram, type Program } from '../integration/standalone/program.ts';

/** One gateway. */
export interface Member extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Of the data port, without a trailing slash. */
  readonly url: string;
  readonly program: Program;
  get(path: string): Promise<AdminAnswer>;
  /** Switches a backend off or on as a person would. */
  switchBackend(id: string, to: 'enable' | 'disable', body?: object): Promise<AdminAnswer>;
  /** The state of a backend. */
  backend(id: string): Promise<BackendState>;
  /** Resolves with the time by `performance.now()` at which the backend was seen to be so. */
  seen(id: string, state: BackendState['state']): Promise<number>;
  /** Asks it to end, and gives the exit code. */
  end(): Promise<number | string>;
  /** Bytes that it has written for people and logs. */
  bytesWritten(): number;
}

/** What the admin port answered. */
export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

/** One backend as the admin port tells of it. */
export interface BackendState {
  readonly id: string;
  readonly state: 'enabled' | 'disabled' | 'trial';
  readonly reason?: string;
  readonly hard?: boolean;
  readonly models: readonly { readonly model: string; readonly state: string }[];
}

/** How a gateway is started. */
export interface MemberOptions {
  readonly name: string;
  readonly file: string;
  readonly redisURL: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a gateway; resolves when it listens. */
export async function startMember({ name, file, redisURL, flags = [], environment }: MemberOptions): Promise<Member> {
  // The machine may be busy with other tests, which delays an event loop as much as too many requests would.
  const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--shed-loop-delay-ms', '0'];
  const program = startProgram(['run', file, '--redis', redisURL, ...ports, ...flags], {
    environment: environment ?? {},
  });
  const [, url = '', adminURL = ''] = await program.says(/requests +(\S+)\n +admin +(\S+)/);
  return new RunningMember(name, program, url, adminURL);
}

class RunningMember implements Member {
  readonly name: string;
  readonly program: Program;
  readonly url: string;
  readonly pid: number;
  readonly #adminURL: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(name: string, program: Program, url: string, adminURL: string) {
    this.name = name;
    this.program = program;
    this.url = url;
    this.pid = program.process.pid ?? 0;
    this.#adminURL = adminURL;
  }

  get(path: string): Promise<AdminAnswer> {
    return send(request(`${this.#adminURL}${path}`, { agent: this.#agent }), undefined);
  }

  switchBackend(id: string, to: 'enable' | 'disable', body?: object): Promise<AdminAnswer> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { method: 'POST', agent: this.#agent, headers };
    return send(request(`${this.#adminURL}/backends/${id}/${to}`, options), body);
  }

  async backend(id: string): Promise<BackendState> {
    const { backends } = JSON.parse((await this.get('/state')).text) as { readonly backends: readonly BackendState[] };
    const found = backends.find((backend) => backend.id === id);
    if (found === undefined) throw new Error(`${this.name} has no backend ${id}`);
    return found;
  }

  async seen(id: string, state: BackendState['state']): Promise<number> {
    const begun = performance.now();
    for (;;) {
      const found = await this.backend(id);
      const now = performance.now();
      if (found.state === state) return now;
      if (now - begun > 20_000) throw new Error(`${this.name} never had ${id} ${state}, but ${JSON.stringify(found)}`);
    }
  }

  end(): Promise<number | string> {
    this.program.process.kill('SIGTERM');
    return this.program.ended;
  }

  bytesWritten(): number {
    return this.program.out().length + this.program.err().length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.program[Symbol.asyncDispose]();
  }
}

function send(sent: ClientRequest, body: object | undefined): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Memory and CPU time of processes. */
export async function usageOf(
  members: readonly Member[],
): Promise<{ readonly megabytes: number; readonly cpuMs: number }> {
  let megabytes = 0;
  let cpuMs = 0;
  for (const { pid } of members) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    megabytes += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // utime and stime in ticks of 10 ms; the name before them may hold spaces: proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuMs += 10 * (Number(fields[11]) + Number(fields[12]));
  }
  return { megabytes, cpuMs };
}
