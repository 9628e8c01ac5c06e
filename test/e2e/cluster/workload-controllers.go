// The controllers of kube-controller-manager that act on what the function renders, in a program of their own.
//
// Not kube-controller-manager itself: it needs two modules, for configuration and for endpoints, that not every checksum
// database answers for. The controllers here are its own packages at the same release, started as it starts them. Its garbage
// collector needs one of the two modules as well, so what a deleted owner leaves behind stays.
package main

import (
	"context"
	"flag"
	"fmt"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/cronjob"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
)

// Of Kubernetes; set when it is built.
var version = "unknown"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file that says where the API server is and as whom to talk to it")
	tell := flag.Bool("version", false, "print which release of Kubernetes the controllers are of")
	flag.Parse()
	if *tell {
		fmt.Println("Kubernetes", version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	config := must(clientcmd.BuildConfigFromFlags("", *kubeconfig))
	config.QPS, config.Burst = 100, 200
	client := must(kubernetes.NewForConfig(config))
	shared := informers.NewSharedInformerFactory(client, 0)

	jobs := must(job.NewController(ctx, shared.Core().V1().Pods(), shared.Batch().V1().Jobs(), client))
	cronJobs := must(cronjob.NewControllerV2(ctx, shared.Batch().V1().Jobs(), shared.Batch().V1().CronJobs(), client))
	accounts := must(serviceaccount.NewServiceAccountsController(shared.Core().V1().ServiceAccounts(),
		shared.Core().V1().Namespaces(), client, serviceaccount.DefaultServiceAccountsControllerOptions()))

	go jobs.Run(ctx, 5)
	go cronJobs.Run(ctx, 5)
	go accounts.Run(ctx, 1)
	shared.Start(ctx.Done())
	klog.Info("the controllers run")
	<-ctx.Done()
}

// must ends the program if something could not be made: there is nothing to carry on with.
func must[T any](made T, err error) T {
	if err != nil {
		klog.Fatal(err)
	}
	return made
}
