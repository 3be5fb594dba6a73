// A real etcd and kube-apiserver on loopback, in a temporary folder, and kube-controller-manager where a test needs its
// controllers. They can be frozen, killed and started again; when they stop nothing is left of them.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectControlPlane, type ControlPlaneClient, type ControlPlaneFacts } from './client.ts';
import { compact, etcdIsHealthy } from './etcd.ts';
import { apiServerArgs, controllerManagerArgs, etcdArgs, filesIn, type Place } from './flags.ts';
import { makeFolder, removeFolder } from './folders.ts';
import { toKubeconfig } from './kubeconfig.ts';
import { defaultKubernetes } from './modules.ts';
import { freePorts } from './ports.ts';
import { findPrograms, type Programs } from './programs.ts';
import { ServerProcess } from './server-process.ts';

/** What a test may ask of a control plane of its own. */
export interface ControlPlaneOptions {
  /**
   * Controllers of kube-controller-manager to run (`namespace`, `garbagecollector`, `serviceaccount`); none where left
   * out, and then no namespace ends and no owned object goes with its owner.
   */
  readonly controllers?: readonly string[];
  /** Applied before the controllers start: the garbage collector looks for new kinds only every 30 seconds. */
  readonly manifests?: readonly (object | string)[];
  /** False makes every watch one of etcd, so that `compactEtcd` ends those from earlier revisions with 410. */
  readonly watchCache?: boolean;
  /** A pinned minor version of Kubernetes. */
  readonly version?: string;
  readonly extraApiServerFlags?: readonly string[];
}

/** A control plane of one's own. */
export interface ControlPlane extends ControlPlaneClient, AsyncDisposable {
  /** The processes, to be looked at. */
  readonly pids: readonly number[];
  /** Freezes the API server: connections are accepted, nothing is answered. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  /** Ends the API server at once, as a crash would. */
  killApiServer(): Promise<void>;
  /**
   * Starts it again, after killing it if it runs, on the same port and data. Its watch cache then begins at the present:
   * a watch that resumes from an earlier revision gets 410 if anything was written since.
   */
  restartApiServer(): Promise<void>;
  /** Forgets all history in etcd up to now. Watches notice only without a watch cache. */
  compactEtcd(): Promise<void>;
  /** Ends all of it, in order, and removes its folder. */
  stop(): Promise<void>;
}

/** Generous: two test files may start theirs at once on two cores. */
const readyWithinMs = 60_000;
const pollMs = 25;
const graceMs = 10_000;
/** Between looking for a free port and binding it somebody else may take it. */
const startsMax = 3;

/** Starts a control plane and waits until it answers; the programs must have been prepared. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const programs = findPrograms(options.version ?? defaultKubernetes);
  if (programs === undefined)
    throw new Error('the control plane is not built on this machine: npm run cluster:prepare');
  for (let starts = 1; ; starts++) {
    const servers = new Servers(programs, options, await createPlace());
    try {
      return await servers.start();
    } catch (error) {
      await servers.stop();
      if (starts === startsMax || !String(error).includes('address already in use')) throw error;
    }
  }
}

class Servers {
  readonly #programs: Programs;
  readonly #options: ControlPlaneOptions;
  readonly #place: Place;
  readonly #facts: ControlPlaneFacts;
  #etcd: ServerProcess | undefined;
  #apiServer: ServerProcess | undefined;
  #controllerManager: ServerProcess | undefined;

  constructor(programs: Programs, options: ControlPlaneOptions, place: Place) {
    this.#programs = programs;
    this.#options = options;
    this.#place = place;
    this.#facts = {
      url: `https://127.0.0.1:${place.apiServerPort}`,
      port: place.apiServerPort,
      caFile: filesIn(place.folder).caFile,
      adminKubeconfig: filesIn(place.folder).adminKubeconfig,
      adminToken: randomBytes(16).toString('hex'),
      kubectl: programs.kubectl,
      folder: place.folder,
    };
    writeIdentities(place.folder, this.#facts);
  }

  async start(): Promise<ControlPlane> {
    const { etcdPort } = this.#place;
    const etcd = await this.#run('etcd', etcdArgs(this.#place));
    this.#etcd = etcd;
    await ready(etcd, () => etcdIsHealthy(etcdPort));
    await this.#startApiServer();
    const client = connectControlPlane(this.#facts);
    await ready(this.#apiServer, () => answers(client, '/api/v1/namespaces/default'));
    for (const manifest of this.#options.manifests ?? []) await client.apply(manifest);
    const controllers = this.#options.controllers ?? [];
    if (controllers.length > 0) {
      const args = controllerManagerArgs(this.#place, controllers);
      this.#controllerManager = await this.#run('kube-controller-manager', args);
    }
    return this.#handle(client);
  }

  async #startApiServer(): Promise<void> {
    const { controllers = [], watchCache = true, extraApiServerFlags: extraFlags = [] } = this.#options;
    const serviceAccounts = controllers.includes('serviceaccount');
    const args = apiServerArgs(this.#place, { watchCache, serviceAccounts, extraFlags });
    const apiServer = await this.#run('kube-apiserver', args);
    this.#apiServer = apiServer;
    // It writes its certificate before it listens.
    await ready(apiServer, async () => isWhole(this.#facts.caFile));
    const client = connectControlPlane(this.#facts);
    await ready(apiServer, () => answers(client, '/readyz'));
  }

  #run(name: keyof Programs, args: readonly string[]): Promise<ServerProcess> {
    const logFile = join(this.#place.folder, `${name}.log`);
    return ServerProcess.start({ name, path: this.#programs[name], args, logFile });
  }

  #handle(client: ControlPlaneClient): ControlPlane {
    const stop = (): Promise<void> => this.stop();
    const all = (): readonly ServerProcess[] => this.#all();
    return {
      ...client,
      get pids() {
        return all().map(({ pid }) => pid);
      },
      pauseApiServer: () => this.#apiServer?.signal('SIGSTOP'),
      resumeApiServer: () => this.#apiServer?.signal('SIGCONT'),
      killApiServer: async () => this.#apiServer?.kill(),
      restartApiServer: async () => {
        await this.#apiServer?.kill();
        await this.#startApiServer();
      },
      compactEtcd: () => compact(this.#place.etcdPort),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  }

  /** From the clients to the server of all. */
  #all(): readonly ServerProcess[] {
    return [this.#controllerManager, this.#apiServer, this.#etcd].filter((server) => server !== undefined);
  }

  async stop(): Promise<void> {
    for (const server of this.#all()) await server.stop(graceMs);
    removeFolder(this.#place.folder);
  }
}

async function createPlace(): Promise<Place> {
  const folder = makeFolder();
  mkdirSync(join(folder, 'certificates'));
  const [etcdPort = 0, etcdPeerPort = 0, apiServerPort = 0] = await freePorts(3);
  return { folder, etcdPort, etcdPeerPort, apiServerPort };
}

/** The administrator's token, and the key with which tokens of service accounts are signed. */
function writeIdentities(folder: string, facts: ControlPlaneFacts): void {
  const files = filesIn(folder);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const write = (path: string, text: string | Buffer): void => writeFileSync(path, text, { mode: 0o600 });
  write(files.signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  write(files.verifyingKey, publicKey.export({ type: 'spki', format: 'pem' }));
  write(files.tokens, `${facts.adminToken},admin,admin,"system:masters"\n`);
  write(files.adminKubeconfig, toKubeconfig(facts, { token: facts.adminToken }));
}

async function ready(server: ServerProcess | undefined, isReady: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + readyWithinMs;
  for (;;) {
    server?.assertRunning();
    if (await isReady()) return;
    if (performance.now() > deadlineMs) throw new Error(`not ready after ${readyWithinMs} ms:\n${server?.logTail()}`);
    await delay(pollMs);
  }
}

function isWhole(certificateFile: string): boolean {
  return existsSync(certificateFile) && readFileSync(certificateFile, 'utf8').endsWith('-----END CERTIFICATE-----\n');
}

async function answers(client: ControlPlaneClient, path: string): Promise<boolean> {
  try {
    await client.request('GET', path);
    return true;
  } catch {
    return false;
  }
}
