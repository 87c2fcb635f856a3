import type { PeerInfo } from '@hedgerow/browser-node'
import cytoscape from 'cytoscape'
import { type Dot, dotsOf, PAGE } from '../../logic/picture.ts'
import { calm } from '../../state/theme.ts'
import { styleNow } from './style.ts'

export interface Picture {
  show(peers: readonly PeerInfo[]): void
  /** reads the colours again */
  restyle(): void
  destroy(): void
}

/** Loaded on its own: with it comes the graph library. */
export function draw(container: HTMLElement, onPeer: (peerId: string) => void): Picture {
  keepStylesOut()
  const cy = cytoscape({
    container,
    style: styleNow(),
    layout: { name: 'preset' },
    userZoomingEnabled: false,
    userPanningEnabled: false,
    boxSelectionEnabled: false,
    autoungrabify: true,
    autounselectify: true
  })
  cy.on('tap', 'node', event => {
    if (event.target.id() !== PAGE) onPeer(event.target.id())
  })
  cy.on('mouseover mouseout', 'node', event => {
    container.style.cursor = event.type === 'mouseover' && event.target.id() !== PAGE ? 'pointer' : ''
  })
  let dots: Dot[] = []
  const place = (glide: boolean): void => {
    cy.batch(() => apply(cy, dots, glide && !calm.matches))
  }
  const resized = new ResizeObserver(() => {
    cy.resize()
    place(false)
  })
  resized.observe(container)
  return {
    show(peers) {
      dots = dotsOf(peers)
      place(true)
    },
    restyle() {
      cy.style(styleNow())
    },
    destroy() {
      resized.disconnect()
      cy.destroy()
    }
  }
}

/** Room for a node and its label at the edge. */
const MARGIN = { x: 56, y: 46 }

function apply(cy: cytoscape.Core, dots: Dot[], glide: boolean): void {
  const ids = new Set(dots.map(({ id }) => id))
  const middle = { x: cy.width() / 2, y: cy.height() / 2 - 8 }
  // far apart on a wide screen is no easier to read
  const reach = { x: Math.min(middle.x - MARGIN.x, 360), y: middle.y - MARGIN.y }
  // three around one would leave the lowest quarter empty
  const [top, bottom] = [Math.min(...dots.map(({ y }) => y)), Math.max(...dots.map(({ y }) => y))]
  const stretch = (y: number): number => (bottom > top ? (2 * (y - top)) / (bottom - top) - 1 : 0)
  cy.nodes().forEach(node => {
    if (!ids.has(node.id())) node.remove()
  })
  for (const dot of dots) {
    const data = { id: dot.id, label: dot.label, load: Math.round(dot.load * 100) }
    const classes = [dot.kind, dot.silent ? 'silent' : ''].join(' ')
    const position = { x: middle.x + dot.x * reach.x, y: middle.y + stretch(dot.y) * reach.y }
    const node = cy.getElementById(dot.id)
    if (node.empty()) cy.add({ group: 'nodes', data, classes, position })
    else {
      node.data(data).classes(classes)
      if (glide) node.stop().animate({ position, duration: 250 })
      else node.stop().position(position)
    }
    if (dot.id !== PAGE) applyEdge(cy, dot)
  }
}

function applyEdge(cy: cytoscape.Core, { id, path }: Dot): void {
  const edge = cy.getElementById(`to ${id}`)
  if (edge.empty()) cy.add({ group: 'edges', data: { id: `to ${id}`, source: PAGE, target: id }, classes: path })
  else edge.classes(path)
}

/**
 * The library would add a style element, which a content security policy forbids; the page's own style sheet has the one
 * rule in it. It doesn't, where it finds the element.
 */
function keepStylesOut(): void {
  const id = '__________cytoscape_stylesheet'
  if (document.getElementById(id) != null) return
  const there = document.createElement('meta')
  there.id = id
  document.head.append(there)
}
