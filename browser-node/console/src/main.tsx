import '@fontsource-variable/atkinson-hyperlegible-next/wght.css'
import '@picocss/pico/css/pico.min.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/header.css'
import './styles/forms.css'
import './styles/answers.css'
import './styles/states.css'
import './styles/chat.css'
import './styles/mesh.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { join } from './state/mesh.ts'

// A file that is let go beside its field would be shown by the browser in place of this page.
for (const type of ['dragover', 'drop'] as const) {
  addEventListener(type, event => {
    if (event.defaultPrevented || event.dataTransfer?.types.includes('Files') !== true) return
    if (event.target instanceof HTMLInputElement && event.target.type === 'file') return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'none'
  })
}

const root = document.getElementById('app')
if (root != null) render(<App />, root)
void join()
