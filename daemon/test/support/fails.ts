import assert from 'node:assert/strict'
import { MeshError, type MeshErrorCode } from '@hedgerow/protocols/errors'

/** An error with this code, and what it says about sending the request again. */
export function fails(code: MeshErrorCode, retrySafe?: boolean): (err: unknown) => boolean {
  return err => {
    assert.ok(err instanceof MeshError, `expected ${code}, got ${err}`)
    assert.equal(err.code, code)
    if (retrySafe != null) assert.equal(err.details.retry_safe, retrySafe)
    return true
  }
}
