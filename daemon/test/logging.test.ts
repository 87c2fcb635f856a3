import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

describe('the log', () => {
  const said = (isWatched: boolean): string => {
    const program = `
      import { createLog } from '@hedgerow/daemon/logging'
      const log = await createLog('info', 'worker-1', ${isWatched})
      log.child({ service: 'ner' }).info({ state: 'healthy' }, 'backend state')
      log.flush()`
    const args = ['--conditions=hedgerow-source', '--input-type=module', '--eval', program]
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
    return stderr.replace(/^\(node.*\n/gm, '')
  }

  it('is JSON for programs, with times that need no conversion', () => {
    const { time, ...rest } = JSON.parse(said(false))
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
    assert.match(time, /^\d{4}-\d\d-\d\dT/)
    assert.deepEqual(rest, { level: 30, peer: 'worker-1', service: 'ner', state: 'healthy', msg: 'backend state' })
  })

  it('is text for a person at a terminal', () => {
    assert.match(said(true), /^\[\d\d:\d\d:\d\d\] INFO: worker-1 ner: backend state \{"state":"healthy"\}\n$/)
  })
})
