/** What the stream of a body broke off with; shared with copies of the response. */
export interface Broken {
  error?: unknown
}

/**
 * A `Response` as `fetch` gives it. One that a page makes has no `url`; and where its body breaks off, browsers reject
 * `text()` and the like with an error of their own, which says neither that it was an abort nor what happened.
 */
export class MeshResponse extends Response {
  readonly #url: string
  readonly #broken: Broken

  constructor(body: BodyInit | null, init: ResponseInit, url: string, broken: Broken = {}) {
    super(body, init)
    this.#url = url
    this.#broken = broken
  }

  override get url(): string {
    return this.#url
  }

  override clone(): MeshResponse {
    const copy = super.clone()
    return new MeshResponse(copy.body, copy, this.#url, this.#broken)
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#whole(super.arrayBuffer())
  }

  override blob(): Promise<Blob> {
    return this.#whole(super.blob())
  }

  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#whole(super.bytes())
  }

  override formData(): Promise<FormData> {
    return this.#whole(super.formData())
  }

  // biome-ignore lint/suspicious/noExplicitAny: as in the standard
  override json(): Promise<any> {
    return this.#whole(super.json())
  }

  override text(): Promise<string> {
    return this.#whole(super.text())
  }

  #whole<T>(body: Promise<T>): Promise<T> {
    return body.catch(err => {
      throw 'error' in this.#broken ? this.#broken.error : err
    })
  }
}
