import { serve } from '@hedgerow/service-kit'
import { buildApp } from './app.ts'

await serve(await buildApp())
