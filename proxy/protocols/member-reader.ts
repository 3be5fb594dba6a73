// Reads the members of a JSON object one by one, each with the type it must have, and keeps what nobody asked for.

import type { Metadata } from '../canonical/block.ts';
import { ClientError } from '../canonical/client-error.ts';
import { isJsonObject, type JsonObject } from './openai/wire.ts';

/** One object of a request body. `null` counts as absent, as it does for every vendor. */
export class MemberReader {
  /** Where the object is in the body, as an error names it: `messages[0]`. */
  readonly path: string;
  readonly #json: JsonObject;
  readonly #taken = new Set<string>();

  constructor(json: unknown, path: string) {
    if (!isJsonObject(json)) throw invalid(path === '' ? 'the request body' : path, 'must be an object.');
    this.#json = json;
    this.path = path;
  }

  /** The name of a member as an error names it. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  any(name: string): unknown {
    this.#taken.add(name);
    return this.#json[name] ?? undefined;
  }

  text(name: string): string | undefined {
    const value = this.any(name);
    if (value !== undefined && typeof value !== 'string') throw this.refuse(name, 'must be a string.');
    return value;
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw this.refuse(name, 'must be a string.');
    return value;
  }

  number(name: string): number | undefined {
    const value = this.any(name);
    if (value !== undefined && typeof value !== 'number') throw this.refuse(name, 'must be a number.');
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.any(name);
    if (value !== undefined && typeof value !== 'boolean') throw this.refuse(name, 'must be true or false.');
    return value;
  }

  object(name: string): MemberReader | undefined {
    const value = this.any(name);
    return value === undefined ? undefined : new MemberReader(value, this.at(name));
  }

  requiredObject(name: string): MemberReader {
    return new MemberReader(this.any(name), this.at(name));
  }

  /** A list of objects; empty if absent. */
  objects(name: string): readonly MemberReader[] {
    const value = this.any(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.refuse(name, 'must be a list.');
    return value.map((item, index) => new MemberReader(item, `${this.at(name)}[${index}]`));
  }

  /** The error that refuses a member. */
  refuse(name: string, why: string): ClientError {
    return invalid(this.at(name), why);
  }

  /** All members that nobody has read; undefined if there are none. */
  rest(): JsonObject | undefined {
    const entries = Object.entries(this.#json).filter(([name, value]) => value !== null && !this.#taken.has(name));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
}

/** What is kept of an object for its own protocol, as a member to spread. */
export function keep(protocol: string, rest: JsonObject | undefined): { readonly metadata?: Metadata } {
  return rest === undefined ? {} : { metadata: { [protocol]: rest } };
}

function invalid(subject: string, why: string): ClientError {
  return new ClientError('invalid_request', { message: `${subject} ${why}` });
}
