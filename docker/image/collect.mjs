/**
 * Lays out what an image holds besides `node_modules`, out of a checkout that is built:
 * `node docker/image/collect.mjs <daemon|relay> <folder>`.
 *
 * The mesh's own packages go in as they are published, compiled: a peer starts a quarter sooner than one whose types are
 * stripped at each start. The services run as their manifests say, from their sources.
 */
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const [role, out = ''] = process.argv.slice(2)
const COMPILED = ['protocols', 'daemon', 'inspector', ...(role === 'relay' ? ['bootstrap-relay'] : [])]
/** Of a service; a relay needs to know only what it is. */
const OF_SERVICES =
  role === 'relay' ? ['hedgerow.service.yaml'] : ['hedgerow.service.yaml', 'package.json', 'src', 'data', 'config']

/** No source maps and no declarations. */
const runs = name => !/\.(map|d\.ts)$/.test(name)
const put = path => {
  if (existsSync(path)) cpSync(path, join(out, path), { recursive: true, filter: runs })
}

put('LICENSE')
put('docker/image/health.mjs')
if (role === 'relay') put('docker/image/closed-mesh.mjs')
for (const name of COMPILED) for (const part of ['package.json', 'bin', 'dist/src']) put(join(name, part))
for (const name of readdirSync('services')) for (const part of OF_SERVICES) put(join('services', name, part))
// A worker's owner turns its entries on by name; a relay runs none.
if (role === 'daemon') put('services/catalogue')
if (role === 'relay') for (const part of ['package.json', 'dist']) put(join('browser-node/console', part))
