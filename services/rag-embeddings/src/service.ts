import { randomBytes } from 'node:crypto'
import { type ServiceApp, serviceApp } from '@hedgerow/service-kit'
import type { Config } from './config.ts'
import { Documents } from './documents.ts'
import { IndexUpkeep } from './index-upkeep.ts'
import { Indexer } from './indexer.ts'
import { Embedder } from './language/embedder.ts'
import { readIdeas } from './language/ideas.ts'
import { SentenceEncoder } from './language/sentence-encoder.ts'
import { CopyComparison } from './mesh/compare-copies.ts'
import { FirstHolder } from './mesh/first-holder.ts'
import { Freshness } from './mesh/freshness.ts'
import { Holders } from './mesh/holders.ts'
import { Instances } from './mesh/instances.ts'
import { Replicator } from './mesh/replicator.ts'
import { Upkeep } from './mesh/upkeep.ts'
import { debugRoutes } from './routes/debug.ts'
import { documentRoutes } from './routes/documents.ts'
import { queryRoutes } from './routes/query.ts'
import { syncRoutes } from './routes/sync.ts'
import { Copies } from './store/copies.ts'
import { Database } from './store/database.ts'
import { Store } from './store/store.ts'
import { Clock } from './store/version.ts'

const VERSION = '0.1.0'

/** What the routes work with. */
export interface Parts {
  store: Store
  documents: Documents
  embedder: Embedder
  replicator: Replicator
  holders: Holders
  firstHolder: FirstHolder
  freshness: Freshness
  upkeep: Upkeep
}

/**
 * The service, ready to listen. It says that it is healthy once it has caught up with the other holders of its
 * collections.
 *
 * @throws {EncoderError} when the model can't be run on this machine
 */
export async function ragService(config: Config): Promise<ServiceApp> {
  const ideas = readIdeas()
  const encoder = await SentenceEncoder.start({ threads: config.threads })
  const embedder = new Embedder(encoder, ideas)
  let damaged: string | undefined
  const db = new Database(config.stateDirectory, config.maxBytes, movedTo => {
    damaged = movedTo
  })
  const indexer = new Indexer(embedder, ideas)
  const store = new Store(db, encoder)
  const copies = new Copies(db)
  const self = config.peerId ?? ownName(store)
  const indexUpkeep = new IndexUpkeep({ store, indexer })
  const documents = new Documents({ db, store, indexer, upkeep: indexUpkeep, clock: new Clock(self) })
  const holders = new Holders({ grace: config.holderGrace })

  let upkeep: Upkeep | undefined
  const app = await serviceApp({
    name: 'rag-embeddings',
    version: VERSION,
    ready: () =>
      upkeep?.caughtUp === true ? { ready: true } : { ready: false, reason: 'catching up with the other holders' },
    stats: () => ({
      model: embedder.model,
      disk_mb: Math.round(db.bytes / 1024 / 1024),
      collections: store.collections().map(({ name, complete }) => ({
        name,
        complete,
        ...store.counts(name),
        other_holders: holders.of(name)
      }))
    })
  })
  if (damaged != null) app.log.error({ movedTo: damaged }, 'the database was damaged and put aside; starting with none')

  const { meshUrl, context } = config
  const instances =
    meshUrl == null || context == null
      ? undefined
      : new Instances({
          url: meshUrl,
          context,
          self,
          onError: err => app.log.warn({ err }, 'the daemon could not be asked for the other instances')
        })
  const { replicas, compareEvery, holderGrace, tombstoneLife } = config
  const comparison = new CopyComparison({ store, copies, documents, holders }, { tombstoneLife })
  const firstHolder = new FirstHolder({ store, instances, comparison }, { self })
  const freshness = new Freshness({ store, holders, comparison, log: app.log }, { self })
  const replicator = new Replicator({ store, holders, instances, firstHolder, log: app.log }, { self, replicas })
  upkeep = new Upkeep(
    { store, copies, holders, instances, comparison, replicator, firstHolder, log: app.log },
    { self, replicas, compareEvery, holderGrace, tombstoneLife }
  )

  const parts = { store, documents, embedder, replicator, holders, firstHolder, freshness, upkeep }
  await documentRoutes(app, parts)
  await queryRoutes(app, parts)
  await syncRoutes(app, parts)
  await debugRoutes(app, parts)

  app.addHook('onListen', async () => {
    indexUpkeep.start(err => app.log.error({ err }, 'indexing failed'))
    parts.upkeep.start()
  })
  app.addHook('onClose', async () => {
    await parts.upkeep.stop()
    await Promise.all([indexUpkeep.stop(), encoder.close()])
    db.close()
  })
  return app
}

/** Standing alone, the instance names itself once, so that its versions stay its own. */
function ownName(store: Store): string {
  const known = store.meta('name')
  if (known != null) return known
  const name = `alone${randomBytes(8).toString('hex')}`
  store.setMeta('name', name)
  return name
}
