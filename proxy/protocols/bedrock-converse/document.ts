// Documents: their formats, and their names, which the model reads and Bedrock is particular about.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html

/** Formats by media type. Any other kind of text is `txt`. */
export const documentFormats: { readonly [mediaType: string]: string } = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/markdown': 'md',
};

/** Longer names are refused; a number may follow. */
const nameCharsMax = 190;

/** Names of the documents of one request: each a legal one, and no other's. */
export class DocumentNames {
  readonly #taken = new Set<string>();

  /** The name for a document that the client calls so. */
  next(title = ''): string {
    const base = title
      .replace(/\.[a-z]{2,4}$/i, '')
      .replaceAll(/[^A-Za-z0-9()[\]-]+/g, ' ')
      .trim()
      .slice(0, nameCharsMax);
    const wanted = base === '' ? 'document' : base;
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted} ${number}`;
    this.#taken.add(name);
    return name;
  }
}
