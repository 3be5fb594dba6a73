// `node deploy/image/main.ts node_modules`: a step of the Dockerfile.

import { trim } from './trim.ts';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('which node_modules?');
const { files, bytes } = trim(folder);
console.log(`took ${files} files, ${(bytes / 1e6).toFixed(1)} MB, out of ${folder}`);
