// Tools that a client runs but that Anthropic describes: what their schemas would be if they were written out, so that
// models of other vendors can call them as well. https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool

/** What a model is told of such a tool. */
export interface ClientTool {
  readonly description: string;
  readonly parameters: object;
}

const text = (description: string): object => ({ type: 'string', description });
const object = (properties: object, required: readonly string[]): object => ({ type: 'object', properties, required });
const range = {
  type: 'array',
  items: { type: 'integer' },
  description: 'For view: the first and the last line, counted from 1; -1 is the end of the file.',
};

const bash: ClientTool = {
  description: 'Runs a command in a persistent bash session and returns its output.',
  parameters: object(
    {
      command: text('The command to run. Required unless the tool is being restarted.'),
      restart: { type: 'boolean', description: 'Restarts the session.' },
    },
    [],
  ),
};

const textEditor: ClientTool = {
  description: 'Views, creates and edits text files.',
  parameters: object(
    {
      command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert'] },
      path: text('Path of the file or directory.'),
      file_text: text('For create: the content of the new file.'),
      old_str: text('For str_replace: the text to replace, which must occur exactly once.'),
      new_str: text('For str_replace: what replaces it.'),
      insert_line: { type: 'integer', description: 'For insert: the line after which to insert; 0 is the beginning.' },
      insert_text: text('For insert: the text to insert.'),
      view_range: range,
    },
    ['command', 'path'],
  ),
};

const memory: ClientTool = {
  description: 'Keeps notes in files below /memories that survive the conversation.',
  parameters: object(
    {
      command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert', 'delete', 'rename'] },
      path: text('Path of the file or directory; not for rename.'),
      file_text: text('For create: the content of the file.'),
      old_str: text('For str_replace: the text to replace.'),
      new_str: text('For str_replace: what replaces it.'),
      insert_line: { type: 'integer', description: 'For insert: the line after which to insert.' },
      insert_text: text('For insert: the text to insert.'),
      old_path: text('For rename: the path that the file has.'),
      new_path: text('For rename: the path that it gets.'),
      view_range: range,
    },
    ['command'],
  ),
};

/** By the name of the tool's type without its date: newer versions differ in how they are run, not in what they are told. */
const tools: { readonly [name: string]: ClientTool } = { bash, text_editor: textEditor, memory };

/** The tool of a type, as `bash_20250124`; undefined for those that run at Anthropic and those with too much to describe. */
export function clientTool(type: string): ClientTool | undefined {
  const name = /^(\w+)_\d{8}$/.exec(type)?.[1] ?? '';
  return Object.hasOwn(tools, name) ? tools[name] : undefined;
}
