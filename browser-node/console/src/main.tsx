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

const root = document.getElementById('app')
if (root != null) render(<App />, root)
void join()
