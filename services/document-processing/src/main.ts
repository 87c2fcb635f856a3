/** The document-processing service: listens where `PORT` and `HOST` say. */
import { readFileSync } from 'node:fs'
import { serve } from '@hedgerow/service-kit'
import { documentApp } from './app.ts'
import { Processes } from './process/processes.ts'

const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
await serve(await documentApp(new Processes(), manifest.version))
