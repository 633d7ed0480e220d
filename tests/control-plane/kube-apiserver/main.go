// The API server of the control plane that tests talk to.
//
// In: kube-apiserver's own flags. Out: kube-apiserver, as its module has it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
