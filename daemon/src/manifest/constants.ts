/** Bytes of one manifest; a real one has about 2 KiB. */
export const MAX_MANIFEST_SIZE = 64 * 1024
/** Manifests in one folder; more is a folder of something else. */
export const MAX_FILES = 256
/** Errors told about one file: enough to mend it, few enough to read. */
export const MAX_ERRORS = 20
/** How often an alias (`*name`) may be expanded: the means of a YAML bomb. */
export const MAX_ALIASES = 50

/** Set by the daemon for each backend, so a manifest can't. */
export const RESERVED_VARIABLES = /^(PORT|HOST|HEDGEROW_.*)$/

/** Databases' clients keep connections for later; NATs keep them that long (RFC 5382: no less than 2 h 4 min). */
const IDLE_SECONDS = 7440

/** The same for containers, whose own programs may read PORT and HOST otherwise. */
export const RESERVED_IN_CONTAINERS = /^HEDGEROW_/

/** What a manifest that leaves a field out gets. Times in seconds, sizes in MiB, as manifests have them. */
export const DEFAULTS = {
  protocol: 'http',
  tier: 'cpu',
  replicas: 2,
  needs: { cores: 1, memory_mb: 256, disk_mb: 0 },
  health: { path: '/health', interval_s: 5, timeout_s: 2, start_s: 30 },
  admission: { concurrency: 4, queue: 32 },
  container: { gpu: 'none', read_only: false, pull: 'missing', pids: 2048, stop_s: 10 },
  /** a database allows a hundred, and has other clients */
  connections: 64,
  resources: { interval_s: 2 },
  body_limit_mb: 1,
  timeouts: { first_byte_s: 30, between_chunks_s: 15, idle_s: IDLE_SECONDS }
} as const
