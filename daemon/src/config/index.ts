/**
 * The settings of a peer. Each is an option, an environment variable and a key of the configuration file; the first of
 * these that is given wins, in that order. A wrong value is a {@link ConfigError} that names where it stood.
 *
 * @example
 * ```ts
 * const config = readConfig(daemonCommand(), process.argv)
 * ```
 */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { CommanderError, InvalidArgumentError, Option } from 'commander'
import { parse } from 'yaml'
import { ConfigError } from './errors.ts'

export { ConfigError } from './errors.ts'
export * as parsers from './parsers.ts'
export { defaultDataDir, type PeerSettings, peerSettings } from './peer-settings.ts'
export { TRACES_HELP } from './traces-help.ts'
export { TUNNEL_HELP, type TunnelSettings } from './tunnel-settings.ts'

export interface Setting {
  /** as commander writes it: `--http-port <port>` */
  flags: string
  env: string
  /** an older name of the variable, read when `env` isn't set */
  oldEnv?: string
  help: string
  default?: unknown
  /** the default as a person would write it, where it isn't plain from the value */
  shown?: string
  parse(value: string): unknown
}

export function addSettings(command: Command, settings: readonly Setting[]): Command {
  command.option('--config <file>', 'YAML file with any of these settings, named as the options are, with underscores')
  for (const setting of settings) {
    const option = new Option(setting.flags, setting.help).env(setting.env).argParser(setting.parse)
    if (setting.default !== undefined) option.default(setting.default, setting.shown ?? describe(setting.default))
    command.addOption(option)
  }
  return command
}

/** As a person would write it. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',')
  return String(value)
}

/**
 * Reads settings from the command line, the environment and the file.
 *
 * @throws {ConfigError}
 */
export function readSettings(command: Command, settings: readonly Setting[], argv: string[]): Record<string, unknown> {
  for (const { env, oldEnv } of settings) {
    // `docker run -e NAME=` means "not set" to whoever writes it
    if (process.env[env] === '') delete process.env[env]
    if (oldEnv != null && process.env[env] == null && process.env[oldEnv]) process.env[env] = process.env[oldEnv]
  }
  command.exitOverride()
  command.configureOutput({ writeErr: () => {} })
  try {
    command.parse(argv)
  } catch (err) {
    throw asConfigError(err)
  }
  const { config } = command.opts<{ config?: string }>()
  if (config != null) applyFile(command, settings, config)
  return command.opts()
}

/** Thrown for `--help` and `--version`, which have printed what they should. */
export class NothingToDo extends Error {
  override readonly name = 'NothingToDo'
}

function asConfigError(err: unknown): unknown {
  if (!(err instanceof CommanderError)) return err
  if (err.exitCode === 0) return new NothingToDo()
  const variable = /from env '([^']+)'/.exec(err.message)?.[1]
  const option = /'(?:-\w, )?--([\w-]+)/.exec(err.message)?.[1]
  const reason = err.message
    .replace(/^error: /, '')
    .replace(
      /^option '.*?' (argument|value) '(.*?)'(?: from env '.*?')? is invalid\. /,
      (_all, _what, value) => `${JSON.stringify(value)} is not usable: `
    )
  return new ConfigError(variable ?? (option == null ? 'command line' : `--${option}`), reason)
}

function applyFile(command: Command, settings: readonly Setting[], file: string): void {
  let content: unknown
  try {
    content = parse(readFileSync(file, 'utf8'))
  } catch (err) {
    if (err instanceof Error && 'syscall' in err)
      throw new ConfigError('--config', `the file ${file} can't be read (${'code' in err ? err.code : err.message})`)
    throw new ConfigError(
      file,
      err instanceof Error ? (err.message.split('\n')[0] ?? 'it can not be read') : 'it can not be read'
    )
  }
  if (content == null) return
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError(file, 'it must hold settings, one `name: value` a line')
  const known = new Map(
    command.options
      .filter(option => !['config', 'version'].includes(option.attributeName()))
      .map(option => [option.long?.slice(2).replaceAll('-', '_'), option])
  )
  for (const [key, value] of Object.entries(content)) {
    const option = known.get(key)
    if (option == null)
      throw new ConfigError(file, `there is no setting ${key}; there are: ${[...known.keys()].join(', ')}`)
    const source = command.getOptionValueSource(option.attributeName())
    if (source === 'cli' || source === 'env') continue
    const setting = settings.find(({ flags }) => flags === option.flags)
    try {
      command.setOptionValueWithSource(
        option.attributeName(),
        setting?.parse(Array.isArray(value) ? value.join(',') : String(value)),
        'config'
      )
    } catch (err) {
      if (err instanceof InvalidArgumentError)
        throw new ConfigError(`${file}: ${key}`, `${JSON.stringify(value)} is not usable: ${err.message}`)
      throw err
    }
  }
}
