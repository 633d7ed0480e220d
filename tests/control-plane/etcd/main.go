// The store of the control plane that tests talk to.
//
// In: etcd's own flags. Out: etcd, as its module has it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
