// Writes docs/manifest.schema.json, for editors: `npm run schema -w daemon`. A test says when it is out of date.
import { writeFileSync } from 'node:fs'
import { manifestJsonSchema } from '../src/manifest/json-schema.ts'

writeFileSync(new URL('../../docs/manifest.schema.json', import.meta.url), manifestJsonSchema())
