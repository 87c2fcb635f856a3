/** The sample manual of the repository, each page a file that is loaded when it is needed. */
const FILES = import.meta.glob<string>('../../../../examples/data/manual/*.md', { query: '?raw', import: 'default' })

export const pages = Object.entries(FILES).map(([path, load]) => ({
  id: path.replace(/^.*\/|\.md$/g, ''),
  load
}))
