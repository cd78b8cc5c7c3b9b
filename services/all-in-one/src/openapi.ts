import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from './openapi/document.ts';
import { declaredModules } from './openapi/modules.ts';
import { routesOf } from './openapi/routes.ts';

/** `npm run openapi`: writes the merged document where the state store serves it from. A test says when it is due. */
await writeFile(fileURLToPath(new URL('../../state-store/docs/openapi.json', import.meta.url)), `${JSON.stringify(openApiDocument(routesOf(declaredModules())), null, 1)}\n`);
