// A KRM function in Go that does the heart of what expand-backups does, on the framework that kustomize offers for
// that: it reads a ResourceList, writes the objects of each ScheduledBackup from a template, and marks the source as
// local. It checks nothing. The template is made of what expand-backups generates, so both write the same objects.
package main

import (
	"fmt"
	"os"
	"strings"
	"text/template"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

type scheduledBackup struct {
	Metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Spec struct {
		AccessKeySecretRef struct {
			Name string `yaml:"name"`
		} `yaml:"accessKeySecretRef"`
		CronJob struct {
			ScheduleEvery string `yaml:"scheduleEvery"`
			TimeZone      string `yaml:"timeZone"`
		} `yaml:"cronJob"`
		Encryption struct {
			Recipients []string `yaml:"recipients"`
		} `yaml:"encryption"`
		Repository struct {
			URL string `yaml:"url"`
		} `yaml:"repository"`
		Vars struct {
			Params map[string]string `yaml:"Params"`
		} `yaml:"vars"`
		VarsSecretRef struct {
			SecretName string `yaml:"secretName"`
		} `yaml:"varsSecretRef"`
	} `yaml:"spec"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(os.Getenv("TEMPLATE"))
	if err != nil {
		return err
	}
	objects, err := template.New("objects").Parse(string(text))
	if err != nil {
		return err
	}
	return framework.Execute(framework.ResourceListProcessorFunc(func(list *framework.ResourceList) error {
		var items []*yaml.RNode
		for _, item := range list.Items {
			items = append(items, item)
			if item.GetKind() != "ScheduledBackup" {
				continue
			}
			made, err := expand(item, objects)
			if err != nil {
				return err
			}
			items = append(items, made...)
		}
		list.Items = items
		return nil
	}), &kio.ByteReadWriter{})
}

func expand(item *yaml.RNode, objects *template.Template) ([]*yaml.RNode, error) {
	var source scheduledBackup
	if err := item.YNode().Decode(&source); err != nil {
		return nil, err
	}
	spec := source.Spec
	var text strings.Builder
	err := objects.Execute(&text, map[string]string{
		"name":           source.Metadata.Name,
		"hostname":       spec.Vars.Params["hostname"],
		"recipient":      strings.Join(spec.Encryption.Recipients, "\n"),
		"url":            spec.Repository.URL,
		"passwordSecret": spec.VarsSecretRef.SecretName,
		"timeZone":       spec.CronJob.TimeZone,
		"schedule":       spec.CronJob.ScheduleEvery,
		"accessKey":      spec.AccessKeySecretRef.Name,
	})
	if err != nil {
		return nil, err
	}
	var made []*yaml.RNode
	for _, document := range strings.Split(text.String(), "\n---\n") {
		// The separator took the last line's end.
		object, err := yaml.Parse(document + "\n")
		if err != nil {
			return nil, err
		}
		made = append(made, object)
	}
	return made, item.PipeE(yaml.SetAnnotation("config.kubernetes.io/local-config", "true"))
}
