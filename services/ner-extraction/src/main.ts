/** The ner-extraction service: listens where `PORT` and `HOST` say. */
import { readFileSync } from 'node:fs'
import { serve } from '@hedgerow/service-kit'
import { nerApp } from './app.ts'
import { Extractor } from './extract.ts'

const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const extractor = new Extractor()
// the first text would otherwise pay for what is compiled and loaded on first use
extractor.extract('Mrs Jane Smith of Halesworth owes Fenwick Elms £12 since May 2024.')
await serve(await nerApp(extractor, manifest.version))
