import { ShieldAlert } from 'lucide-preact'
import { isOpen, withinNetworkOnly } from '../state/mesh.ts'

export function Footer() {
  return (
    <footer class="site-footer">
      <div class="container">
        <p class="footer-warning">
          <ShieldAlert size={20} aria-hidden="true" />
          <span>
            <strong>Not for confidential papers.</strong>{' '}
            {isOpen.value
              ? 'This mesh is open: anybody may lend a computer to it and would see what is sent there. Try it with examples and invented text.'
              : 'This mesh is closed: what is sent goes to computers of its members only. But this page comes from a relay, which could change it.'}
          </span>
        </p>
        {withinNetworkOnly.value && (
          <p>
            Direct connections work within one network only, because this mesh names no server that helps to make them
            across networks. Elsewhere requests go through a relay.
          </p>
        )}
        <p>
          Requests and answers stay in this page and are gone when you close it. <a href="/docs">For developers</a>
        </p>
      </div>
    </footer>
  )
}
