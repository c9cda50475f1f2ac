package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/rs/cors"
)

type rule struct {
	Path           string          `json:"path"`
	Default        bool            `json:"default"`
	Origins        json.RawMessage `json:"origins"`
	Credentials    bool            `json:"credentials"`
	Methods        []string        `json:"methods"`
	RequestHeaders []string        `json:"requestHeaders"`
	Expose         []string        `json:"expose"`
	MaxAge         *int            `json:"maxAge"`
	Paths          []rule          `json:"paths"`
}

func end(words string) {
	fmt.Println("corscheck: " + words)
	os.Exit(1)
}

func middleware(policy rule) *cors.Cors {
	if policy.Default {
		return cors.Default()
	}
	options := cors.Options{
		AllowedMethods:   policy.Methods,
		AllowedHeaders:   policy.RequestHeaders,
		ExposedHeaders:   policy.Expose,
		AllowCredentials: policy.Credentials,
	}
	if len(policy.Methods) == 1 && policy.Methods[0] == "*" {
		end("unsupported any method")
	}
	if json.Unmarshal(policy.Origins, &options.AllowedOrigins) != nil {
		end("unsupported origins that are not a list")
	}
	if policy.MaxAge != nil {
		options.MaxAge = *policy.MaxAge
	}
	return cors.New(options)
}

func main() {
	var policy rule
	if err := json.Unmarshal([]byte(os.Getenv("CORSCHECK_POLICY")), &policy); err != nil {
		log.Fatal(err)
	}
	app := application()
	handler := app
	if policy.Paths == nil {
		handler = middleware(policy).Handler(app)
	} else {
		mux := http.NewServeMux()
		mux.Handle("/", app)
		for _, rule := range policy.Paths {
			mux.Handle(strings.TrimSuffix(rule.Path, "/")+"/", middleware(rule).Handler(app))
		}
		handler = mux
	}
	log.Fatal(http.ListenAndServe(net.JoinHostPort(os.Getenv("CORSCHECK_HOST"), os.Getenv("CORSCHECK_PORT")), handler))
}
