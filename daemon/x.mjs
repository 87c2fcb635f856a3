import Docker from 'dockerode'
const d = new Docker({ socketPath: '/tmp/hc/p.sock' })
const c = await d.createContainer({ name: 'x1', Image: 'localhost/hedgerow-test:1', Env: ['PORT=8080','HOST=0.0.0.0','MODE=no-parent'], Labels: {'hedgerow.peer':'p'}, ExposedPorts: {'8080/tcp':{}},
 HostConfig: { PortBindings: {'8080/tcp':[{HostIp:'127.0.0.1', HostPort:''}]}, CapDrop:['ALL'], SecurityOpt:['no-new-privileges'], PidsLimit: 512, Memory: 64*2**20, MemorySwap: 64*2**20, NanoCpus: 1e9, ReadonlyRootfs: false, LogConfig: {Type:'json-file', Config: {'max-size':'10m'}}, Mounts: [{Type:'volume', Source:'vol1', Target:'/data'}] } })
await c.start()
let i = await c.inspect()
console.log(JSON.stringify(i.NetworkSettings, null, 1), JSON.stringify(i.HostConfig.LogConfig), JSON.stringify(i.State))
const l = await c.logs({follow:true, stdout:true, stderr:true})
l.on('data', x => console.log('log', x)); l.on('end', () => console.log('log end'))
const port = i.NetworkSettings.Ports['8080/tcp'][0].HostPort
await new Promise(r => setTimeout(r, 500))
console.log((await fetch(`http://127.0.0.1:${port}/health`)).status, i.HostConfig)
const ip = i.NetworkSettings.IPAddress
console.log('ip', (await fetch(`http://${ip}:8080/health`)).status)
const w = c.wait(); 
console.time('stop'); await c.stop({t: 2}); console.timeEnd('stop')
console.log(await w); i = await c.inspect(); console.log(JSON.stringify(i.State))
await c.remove({force:true, v: true})
