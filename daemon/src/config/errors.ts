/** A setting that can't be used. The process says it in one line that names the setting and exits 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** the environment variable, option or file that is wrong */
  readonly setting: string

  constructor(setting: string, message: string) {
    super(`${setting}: ${message}`)
    this.setting = setting
  }
}
