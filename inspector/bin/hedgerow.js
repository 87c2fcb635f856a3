#!/usr/bin/env node
// In a checkout the sources run as they are; in a published package there is only `dist`.
import { existsSync } from 'node:fs'
// By name: an older Node has neither, and would say so in a way that helps nobody.
import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const { enableCompileCache, registerHooks } = nodeModule
if (registerHooks == null) {
  process.stderr.write(`hedgerow needs Node 22.15 or later; this is ${process.version}\n`)
  process.exit(1)
}
// A command runs for less time than its code takes to compile: keep what was compiled, where nobody else writes.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hedgerow'))

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
