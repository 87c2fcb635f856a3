/** `hedgerow mesh`: what maintainers of a closed mesh do. It needs no mesh that runs; keys are read from files. */
import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { InviteOptions } from '../commands/mesh/invite.ts'
import type { SignOptions } from '../commands/mesh/sign.ts'
import type { SignerOptions } from '../commands/mesh/signer.ts'
import { InspectorError } from '../errors.ts'
import * as render from '../render/mesh.ts'
import type { Style } from '../render/style.ts'
import type { MeshSource } from '../source/index.ts'
import { EXAMPLES } from './examples.ts'
import { type Io, styleOf, toJson, writeLine } from './io.ts'
import { askNewPassphrase, askPassphrase } from './passphrase.ts'

export interface MeshContext {
  io: Io
  signal: AbortSignal
  command(parent: Command, name: string, summary: string, examples: string): Command
  done(exitCode: number): void
  /** asks a peer, and shows what it answers */
  show<T>(
    sub: Command,
    fetch: (source: MeshSource) => Promise<T>,
    render: (report: T, style: Style) => string
  ): Promise<void>
}

interface Globals {
  json?: boolean
  daemon?: string
  relay?: string
}

const MAX_USES = 10_000

export function addMeshCommands(program: Command, { io, signal, command, done, show }: MeshContext): void {
  const passphrase = (): Promise<string> => askPassphrase(io, signal)
  const globals = (sub: Command): Globals => sub.optsWithGlobals<Globals>()
  const print = async (sub: Command, report: object, text: () => string | Promise<string>, exitCode = 0) => {
    await writeLine(io.stdout, globals(sub).json === true ? toJson(report, 2) : await text())
    done(exitCode)
  }
  const openSigner = async (options: SignerOptions) => {
    const signer = await import('../commands/mesh/signer.ts')
    return signer.openSigner(options, { env: io.env, passphrase })
  }

  const mesh = command(
    program,
    'mesh',
    'make a closed mesh, let peers in, take them out, and look at what was signed',
    EXAMPLES.mesh
  )

  command(mesh, 'init', 'make the authority of a new closed mesh', EXAMPLES.meshInit)
    .argument('<name>', 'what the mesh is called: lower-case letters, digits, hyphens')
    .option('--dir <folder>', 'where the key and the mesh file go (default: a folder called <name>-mesh)')
    .option('--no-passphrase', 'leave the key unencrypted: for trying out')
    .action(async (name: string, options: { dir?: string; passphrase: boolean }, sub: Command) => {
      const { initMesh } = await import('../commands/mesh/init.ts')
      const secret = options.passphrase ? await askNewPassphrase(io, signal) : undefined
      const report = await initMesh(name, options.dir ?? `${name}-mesh`, secret)
      if (secret == null)
        await writeLine(io.stderr, 'hedgerow: the key is not encrypted: whoever reads the file can let anybody in')
      await print(sub, report, () => render.renderInit(report, styleOf(io)))
    })

  command(mesh, 'sign', 'sign a credential for a peer, as the authority', EXAMPLES.meshSign)
    .argument('<peer-id>', "as the peer's log and its /health say")
    .option('--dir <folder>', "the authority's folder (default: HEDGEROW_MESH_DIR, else this one)")
    .requiredOption('--role <list>', 'relay, worker, client, issuer, admin; several with commas')
    .option('--services <list>', "what it may offer or call; '*' = all, the default for all but workers")
    .option('--classes <list>', 'classes of data that it may see (default: public,internal)')
    .option('--days <n>', 'how long it lasts, up to 400', wholeUpTo(400), 90)
    .option('-o, --out <file>', 'write it there and not to stdout')
    .action(async (peer: string, options: Omit<SignOptions, 'dir'> & { dir?: string; out?: string }, sub: Command) => {
      const { signPeer } = await import('../commands/mesh/sign.ts')
      const dir = options.dir ?? io.env.HEDGEROW_MESH_DIR ?? '.'
      const { membership, ...report } = await signPeer(peer, { ...options, dir }, passphrase)
      if (options.out != null) await save(options.out, membership)
      const { out } = options
      if (globals(sub).json !== true && out == null) {
        // The file itself goes to stdout, so that it can be piped; what it is, to the person.
        await writeLine(io.stderr, render.renderSign({ ...report, membership }))
        await writeLine(io.stdout, membership.trimEnd())
        done(0)
        return
      }
      const json = { ...report, ...(out == null ? { membership: JSON.parse(membership) } : { file: out }) }
      await print(sub, json, () => render.renderSign({ ...report, membership }, out))
    })

  command(mesh, 'invite', 'make an invite: a string, and a QR code, that lets peers in', EXAMPLES.meshInvite)
    .option('--dir <folder>', 'sign as the authority in this folder (default: HEDGEROW_MESH_DIR, else this one)')
    .option('--data-dir <folder>', 'sign as the relay whose data directory this is')
    .addOption(new Option('--role <role>', 'worker or client').default('worker', 'worker'))
    .option('--services <list>', "what it may offer or call; '*' = all, the default for clients")
    .option('--classes <list>', 'classes of data that it may see (default: public,internal)')
    .option('--uses <n>', 'how many peers it lets in', wholeUpTo(MAX_USES), 1)
    .addOption(new Option('--expires <time>', 'how long the invite is good, as in 30m, 12h, 7d').default('7d', '7d'))
    .addOption(
      new Option('--lasts <time>', 'how long each credential lasts; it is renewed by itself').default('30d', '30d')
    )
    .option('--issuer <peer-id>', 'the relay that redeems it (default: the signer, else the first relay is asked)')
    .option('--no-qr', 'no QR code')
    .action(async (options: SignerOptions & InviteOptions & { qr: boolean }, sub: Command) => {
      const { makeInvite } = await import('../commands/mesh/invite.ts')
      const relay = listOf(globals(sub).relay)
      const report = await makeInvite(await openSigner(options), { ...options, relay }, signal)
      if (globals(sub).json !== true && io.stdout.isTTY !== true) {
        // For a script or a file: the string alone.
        for (const warning of report.warnings) await writeLine(io.stderr, `hedgerow: ${warning}`)
        await writeLine(io.stdout, report.invite)
        done(0)
        return
      }
      await print(sub, report, async () => {
        const { qrCode } = await import('../render/qr.ts')
        const qr = options.qr ? await qrCode(report.invite, io.stdout.columns) : undefined
        if (options.qr && qr == null) await writeLine(io.stderr, 'hedgerow: the terminal is too narrow for the QR code')
        return render.renderInvite(report, styleOf(io), qr)
      })
    })

  command(mesh, 'revoke', 'take a peer out of the mesh, or an invite back', EXAMPLES.meshRevoke)
    .argument('<what>', 'a peer id, or an invite')
    .option('--dir <folder>', 'sign as the authority in this folder (default: HEDGEROW_MESH_DIR, else this one)')
    .option('--data-dir <folder>', 'sign as the relay whose data directory this is: takes back what that relay gave')
    .option('-o, --out <file>', 'write it there, to be sent later')
    .action(async (what: string, options: SignerOptions & { out?: string }, sub: Command) => {
      const { revoke } = await import('../commands/mesh/revoke.ts')
      const { daemon, relay } = globals(sub)
      const urls = [...listOf(daemon), ...listOf(relay)]
      if (urls.length === 0 && options.out == null)
        throw new InspectorError(
          'Usage',
          'say who should hear of it: --daemon <url> or --relay <url> of any peer of the mesh',
          ['--out <file> keeps it for later: hedgerow mesh send <file> --daemon <url>']
        )
      const report = await revoke(await openSigner(options), what, urls, signal)
      if (options.out != null) await save(options.out, `${report.revocation}\n`)
      await print(sub, report, () => render.renderRevoke(report, options.out))
    })

  command(mesh, 'send', 'bring a revocation that was kept in a file to a peer of the mesh', EXAMPLES.meshSend)
    .argument('<file>', 'as `hedgerow mesh revoke --out` writes it')
    .action(async (file: string, _options, sub: Command) => {
      const [{ readRevocation, send }, { daemon, relay }] = [await import('../commands/mesh/revoke.ts'), globals(sub)]
      const urls = [...listOf(daemon), ...listOf(relay)]
      if (urls.length === 0) throw new InspectorError('Usage', 'say where to: --daemon <url> or --relay <url>')
      const revocation = await readRevocation(file)
      for (const url of urls) await send(url, revocation, signal)
      await print(sub, { sent_to: urls }, () => urls.map(url => `${url} has it and tells the others`).join('\n'))
    })

  command(mesh, 'show', 'explain a mesh file, a membership, a credential, an invite or a revocation', EXAMPLES.meshShow)
    .argument('[file|string]', 'a file, or the text itself (default: the mesh of the peer that is asked)')
    .option('--mesh-file <file>', 'the mesh file, for what does not name its authority itself')
    .action(async (given: string | undefined, { meshFile }: { meshFile?: string }, sub: Command) => {
      if (given == null) {
        await show(sub, source => source.mesh(signal), render.renderPlace)
        return
      }
      const { explain } = await import('../commands/mesh/show.ts')
      const report = await explain(given, meshFile)
      await print(sub, report, () => render.renderShow(report, styleOf(io)), report.good === false ? 1 : 0)
    })
}

/** For its owner alone: a credential is no secret, but nobody else's business either. */
async function save(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content, { mode: 0o600 })
  } catch (err) {
    const reason = err instanceof Error && 'code' in err ? err.code : String(err)
    throw new InspectorError('Failed', `--out: ${file} can't be written (${reason})`)
  }
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}

function wholeUpTo(max: number): (value: string) => number {
  return value => {
    const number = Number(value)
    if (/^[1-9]\d{0,8}$/.test(value) && number <= max) return number
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`)
  }
}
