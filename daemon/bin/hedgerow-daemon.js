#!/usr/bin/env node
// In a checkout the sources run as they are; in a published package there is only `dist`.
import { existsSync } from 'node:fs'
// By name: an older Node has neither, and would say so in a way that helps nobody.
import * as nodeModule from 'node:module'

const { enableCompileCache, registerHooks } = nodeModule
if (registerHooks == null) {
  process.stderr.write(`hedgerow-daemon needs Node 22.15 or later; this is ${process.version}\n`)
  process.exit(1)
}
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
