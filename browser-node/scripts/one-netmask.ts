/**
 * In place of `netmask`, of whose job js-libp2p brings a second package: which addresses are private. 2 kB.
 */
export { IpNet as Netmask } from '@chainsafe/netmask'
