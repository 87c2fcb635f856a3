import type { Listener, Transport } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import { MAX_WEBSOCKET_MESSAGE, WEBSOCKET_PING_INTERVAL } from './constants.ts'

type CreateTransport = ReturnType<typeof webSockets>

export interface SafeWebSocketsInit {
  /** milliseconds between two pings of each connection that came in. @default 30,000 */
  pingInterval?: number
}

/**
 * libp2p's WebSocket transport, whose listener nothing that a stranger sends can end the process with: it leaves the
 * `error` events of its sockets unheard, so that one frame against the protocol would be an uncaught exception. And a
 * connection that is aborted here ends, whatever the other side does; one that is idle lives on behind proxies that cut such.
 */
export function safeWebSockets({ pingInterval = WEBSOCKET_PING_INTERVAL }: SafeWebSocketsInit = {}): CreateTransport {
  const create = webSockets()
  return components => {
    const transport: Transport = create(components)
    const { createListener } = transport
    transport.createListener = options => guarded(createListener.call(transport, options), pingInterval)
    return transport
  }
}

/** What is used here of the server of the package `ws`, which the listener keeps to itself. */
interface UpgradeServer {
  options: { maxPayload: number }
  handleUpgrade(
    request: unknown,
    socket: unknown,
    head: unknown,
    done: (socket: Opened, request: unknown) => void
  ): void
}

/** A socket of the package `ws`. */
interface Opened {
  on(event: 'error' | 'close', listener: () => void): unknown
  ping(): void
  close(code?: number): void
  terminate(): void
}

/** By which libp2p would reset a connection; no WebSocket can be told so, and it stays open. */
const ABNORMAL = 1006

function guarded(listener: Listener, pingInterval: number): Listener {
  if (!('wsServer' in listener) || !isUpgradeServer(listener.wsServer))
    throw new Error('the WebSocket listener has another form than the one that is guarded here')
  const { wsServer } = listener
  const handleUpgrade = wsServer.handleUpgrade.bind(wsServer)
  wsServer.options.maxPayload = MAX_WEBSOCKET_MESSAGE
  wsServer.handleUpgrade = (request, socket, head, done) =>
    handleUpgrade(request, socket, head, (opened, same) => {
      // `close` follows, and that the transport hears
      opened.on('error', () => {})
      keepAlive(opened, pingInterval)
      const close = opened.close.bind(opened)
      opened.close = code => (code === ABNORMAL ? opened.terminate() : close(code))
      done(opened, same)
    })
  return listener
}

/** The other side answers by itself, so that something passes both ways. */
function keepAlive(opened: Opened, interval: number): void {
  const timer = setInterval(() => {
    try {
      opened.ping()
    } catch {
      // it is closing
    }
  }, interval).unref()
  opened.on('close', () => clearInterval(timer))
}

function isUpgradeServer(value: unknown): value is UpgradeServer {
  return (
    typeof value === 'object' &&
    value != null &&
    'handleUpgrade' in value &&
    typeof value.handleUpgrade === 'function' &&
    'options' in value &&
    typeof value.options === 'object'
  )
}
