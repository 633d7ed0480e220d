// What users type against the control plane that tests talk to.
//
// In: kubectl's own arguments. Out: kubectl, as its module has it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))
}
