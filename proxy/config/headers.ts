// Request headers as every room reads them.

/** Request headers by lower-case name, as node:http gives them. */
export type IncomingHeaderMap = { readonly [name: string]: string | string[] | undefined };
