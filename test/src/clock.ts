import { existsSync } from 'node:fs'
import { aptInstall } from './hosts.ts'

/** The library that gives a process another time; it is installed when it is missing and this is a Debian with root. */
export function fakeTime(): string | undefined {
  const paths = ['x86_64', 'aarch64'].map(arch => `/usr/lib/${arch}-linux-gnu/faketime/libfaketime.so.1`)
  const found = (): string | undefined => paths.find(path => existsSync(path))
  if (found() == null && process.getuid?.() === 0) aptInstall('faketime')
  return found()
}
