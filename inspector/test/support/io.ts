import { PassThrough } from 'node:stream'
import type { Io } from '../../src/cli/io.ts'

export interface Captured extends Io {
  out(): string
  err(): string
}

/** Streams that keep what is written to them. */
export function capture(env: Record<string, string> = {}): Captured {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const written = { out: '', err: '' }
  stdout.on('data', chunk => {
    written.out += chunk
  })
  stderr.on('data', chunk => {
    written.err += chunk
  })
  return { stdin: new PassThrough(), stdout, stderr, env, out: () => written.out, err: () => written.err }
}
