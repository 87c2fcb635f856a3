// A program: prints the GPUs that systeminformation finds, as JSON. Run by gpus.ts, which ends it when it takes long.
import { totalmem } from 'node:os'
import { graphics } from 'systeminformation'
import { computingGpus } from './controllers.ts'

const { controllers } = await graphics()
process.stdout.write(JSON.stringify(computingGpus(controllers, totalmem() / 1024 / 1024)))
