const examples = (text: string): string => `\nExamples:\n${text.trim().replace(/^/gm, '  ')}\n`

/** What stands below the options in each `--help`. */
export const EXAMPLES = {
  program: `
Examples:
  hedgerow peers                                       who is in the mesh
  hedgerow call ner -d '{"text":"owes Barclaycard £1,240.50"}'
  hedgerow call ocr -d @letter.png > letter.json       send a file, keep the answer
  hedgerow explain 3f2a...                             why that request went where it went
  hedgerow peers --relay https://mesh.example.org      from anywhere, as a peer of its own
  hedgerow services --json | jq '.gaps'

Where it asks:
  --daemon <url>, else HEDGEROW_DAEMON, else what listens on this machine: HEDGEROW_HTTP_PORT and the next
  three ports if that is set, else 8000, 8080-8083. With --relay it joins the mesh itself and asks nobody else.

A peer is named by its name, its id, or any beginning or end of its id that no other peer has.

Exit codes:
  0 done   1 failed   2 wrong usage   3 nobody could be reached
`,
  peers: examples(`
hedgerow peers
hedgerow peers --json | jq -r '.peers[] | select(.load.queued > 0) | .name'
hedgerow peers --relay /dns4/mesh.example.org/tcp/443/tls/ws/p2p/12D3KooW... --mesh hedgerow
`),
  services: examples(`
hedgerow services
hedgerow services --json | jq -r '.gaps[]'           services that nobody offers now
`),
  inspect: examples(`
hedgerow inspect worker-1
hedgerow inspect x9fQz3Kp                            by the end of its id
`),
  ping: examples(`
hedgerow ping worker-1
hedgerow ping worker-1 -c 100 -i 0.1
`),
  call:
    examples(`
hedgerow call ner -d '{"text":"owes Barclaycard £1,240.50"}'
hedgerow call upload -d @letter.pdf                  the type is guessed from the name
cat notes.txt | hedgerow call notes -d @-
hedgerow call rag/documents                          GET a path
hedgerow call rag/documents/doc-1 -X DELETE
hedgerow call llm -d '{"prompt":"hello","stream":true}'   events as they come
hedgerow call ner -d @text.json --worker worker-2 --explain
`) +
    `
The answer's body goes to stdout as it comes; one line about it goes to stderr: status, worker, path, time, request id.
An answer that is not 2xx ends with exit code 1.
`,
  explain: `${examples(`
hedgerow explain 3f2a9c0d5b7e41f68a90b1c2d3e4f506
hedgerow explain 3f2a9c0d5b7e41f68a90b1c2d3e4f506 --daemon https://mesh.example.org
`)}\nThe peer where a request entered the mesh keeps the decision for ten minutes.\n`,
  audit: `${examples(`
hedgerow audit --since 2h
hedgerow audit --data-dir .hedgerow/relay --service ner-extraction --json | jq -r .caller
`)}\nThe log tells who asked for what and how it went, and nothing of what was asked or answered. It is read from the disk,
so run this on the peer's machine, as its user.\n`,
  receipt: `${examples(`
hedgerow receipt 3f2a9c0d5b7e41f68a90b1c2d3e4f506 > receipt.jws
hedgerow receipt 3f2a9c0d5b7e41f68a90b1c2d3e4f506 | hedgerow verify - --answer letter.json
`)}\nA receipt is a JWS: any JWT library checks it with the Ed25519 key that the worker's peer id is. The worker can give it
for an hour; the peer where the request entered knows for ten minutes which worker that was.\n`,
  verify: `${examples(`
hedgerow verify receipt.jws
hedgerow verify receipt.jws --request notes.json --answer letter.json --worker x9fQz3Kp
`)}\nNobody is asked for this. Exit codes: 0 what could be compared holds   1 it doesn't   2 wrong usage\n`,
  dht: examples(`
hedgerow dht providers ner
hedgerow dht get worker-1
hedgerow dht topology
`),
  dhtProviders: examples('hedgerow dht providers ner-extraction'),
  dhtGet: examples('hedgerow dht get worker-1\nhedgerow dht get 12D3KooW... --json'),
  dhtTopology: examples('hedgerow dht topology'),
  top: examples(`
hedgerow top                                         q or Ctrl-C ends it
hedgerow top -n 1                                    one look
hedgerow top --json -i 5 >> mesh.ndjson              a line of JSON every five seconds
`)
}
