import { ReaderGone } from './cli/io.ts'
import { run } from './cli/run.ts'

const ended = new AbortController()

// The first Ctrl-C ends in order, the second at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (ended.signal.aborted) process.exit(130)
    ended.abort()
  })
}
// Whoever ends `npx hedgerow` ends npm and a shell, which pass nothing on.
if (process.env.npm_command === 'exec') {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) ended.abort()
  }, 1000).unref()
}
// `| head`: who read has read enough.
process.stdout.on('error', err => {
  if ('code' in err && err.code === 'EPIPE') ended.abort(new ReaderGone())
  else throw err
})

const { stdin, stdout, stderr, env } = process
process.exit(await run(process.argv, { stdin, stdout, stderr, env }, ended.signal))
