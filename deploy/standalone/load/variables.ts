// `${NAME}` and `${NAME:-default}` in values of Secrets: how files that are kept in git get at keys that are not.

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The text with its variables filled in, and what is wrong with them. Messages never hold values. */
export interface Expansion {
  readonly text: string;
  readonly problems: readonly string[];
}

/** `$${` stands for `${` itself. */
const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const variable = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Fills in variables. What they hold is not expanded again. */
export function expandVariables(text: string, environment: Environment): Expansion {
  const problems: string[] = [];
  const expanded = text.replaceAll(
    reference,
    (found: string, inner: string | undefined, closing: string | undefined) => {
      if (inner === undefined) return '${';
      const [, name, fallback] = (closing === '' ? null : variable.exec(inner)) ?? [];
      if (name === undefined) {
        problems.push(
          '"${" must be followed by the name of an environment variable and "}"; write $${ for the characters themselves',
        );
        return found;
      }
      const value = environment[name];
      if (value !== undefined && (value !== '' || fallback === undefined)) return value;
      if (fallback === undefined) problems.push(`the environment variable ${name} is not set`);
      return fallback ?? '';
    },
  );
  return { text: expanded, problems };
}
