// Writes the tables of parameters into the documentation of the protocols: a part of `npm run generate`.

import { readFile, writeFile } from 'node:fs/promises';
import { withTables } from './table.ts';

const path = new URL('../../proxy/protocols/README.md', import.meta.url);
await writeFile(path, withTables(await readFile(path, 'utf8')));
