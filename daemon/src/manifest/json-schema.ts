import { manifestSchema } from './schema.ts'

/** The manifest's JSON Schema as editors read it (`docs/manifest.schema.json`). */
export function manifestJsonSchema(): string {
  return `${JSON.stringify(manifestSchema, null, 2)}\n`
}
