import { createServer } from 'node:net'
import { FIRST_PORT, LAST_PORT } from './constants.ts'

const ATTEMPTS = 50

/**
 * A port that nobody listens on now. Somebody may before the backend does, which then ends and gets another: chance
 * keeps daemons that start together apart.
 *
 * @param random uniform in [0, 1)
 */
export async function freePort(host: string, random: () => number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(random() * (LAST_PORT - FIRST_PORT + 1))
    if (await isFree(host, port)) return port
  }
  throw new Error(`no free port found on ${host} between ${FIRST_PORT} and ${LAST_PORT}`)
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
