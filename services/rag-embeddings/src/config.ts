import { join } from 'node:path'

export interface Config {
  stateDirectory: string
  /** other instances are asked through it; undefined when the service runs on its own */
  meshUrl: string | undefined
  /** what the service shows to the mesh for calls on its own account */
  context: string | undefined
  peerId: string | undefined
  /** instances that should hold each collection */
  replicas: number
  /** bytes kept on disk at most */
  maxBytes: number
  /** milliseconds between comparisons with the other holders, on average */
  compareEvery: number
  /** milliseconds without a sign of life after which a holder is replaced */
  holderGrace: number
  /** milliseconds for which a deletion is remembered */
  tombstoneLife: number
  /** of the sentence encoder; undefined for as many as suit the machine */
  threads: number | undefined
}

/** The value of an environment variable makes no sense; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND
const MEGABYTE = 1024 * 1024

/** @throws {ConfigError} */
export function readConfig(env: Record<string, string | undefined>): Config {
  const number = (name: string, fallback: number, least: number, most: number): number => {
    const text = env[name]
    if (text == null || text === '') return fallback
    const value = Number(text)
    if (Number.isFinite(value) && value >= least && value <= most) return value
    throw new ConfigError(`${name} is ${JSON.stringify(text)}; it must be a number from ${least} to ${most}`)
  }
  return {
    stateDirectory: env.HEDGEROW_STATE_DIR ?? join('.hedgerow', 'rag-embeddings'),
    meshUrl: env.HEDGEROW_MESH_URL,
    context: env.HEDGEROW_SERVICE_CONTEXT,
    peerId: env.HEDGEROW_PEER_ID,
    replicas: Math.round(number('RAG_REPLICAS', 2, 1, 16)),
    maxBytes: number('RAG_MAX_MB', 2048, 1, 1024 * 1024) * MEGABYTE,
    compareEvery: number('RAG_COMPARE_SECONDS', 10, 0.1, 3600) * SECOND,
    holderGrace: number('RAG_HOLDER_GRACE_SECONDS', 18, 0.5, 3600) * SECOND,
    tombstoneLife: number('RAG_TOMBSTONE_DAYS', 30, 1, 3650) * DAY,
    threads: Math.round(number('RAG_THREADS', 0, 0, 64)) || undefined
  }
}
