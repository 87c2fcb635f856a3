#!/usr/bin/env node
// In a checkout the sources run as they are; in a published package there is only `dist`.
import { existsSync } from 'node:fs'
import { enableCompileCache, registerHooks } from 'node:module'

enableCompileCache()

const source = new URL('../src/main.ts', import.meta.url)
if (existsSync(source) && !source.pathname.includes('/node_modules/')) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, 'hedgerow-source'] })
  })
  await import(source.href)
} else {
  await import(new URL('../dist/src/main.js', import.meta.url).href)
}
