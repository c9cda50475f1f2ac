package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
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

func middleware(policy rule) gin.HandlerFunc {
	defer func() {
		if reason := recover(); reason != nil {
			end(fmt.Sprint("refused ", reason))
		}
	}()
	if policy.Default {
		return cors.Default()
	}
	config := cors.Config{
		AllowMethods:     policy.Methods,
		AllowHeaders:     policy.RequestHeaders,
		ExposeHeaders:    policy.Expose,
		AllowCredentials: policy.Credentials,
	}
	if json.Unmarshal(policy.Origins, &config.AllowOrigins) != nil {
		end("unsupported origins that are not a list")
	}
	for _, origin := range config.AllowOrigins {
		if origin != "*" && strings.Contains(origin, "*") {
			config.AllowWildcard = true
		}
	}
	if policy.MaxAge != nil {
		config.MaxAge = time.Duration(*policy.MaxAge) * time.Second
	}
	return cors.New(config)
}

func main() {
	var policy rule
	if err := json.Unmarshal([]byte(os.Getenv("CORSCHECK_POLICY")), &policy); err != nil {
		log.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.Use(gin.Recovery())
	rules := map[string]rule{}
	for _, rule := range policy.Paths {
		rules[rule.Path] = rule
	}
	if policy.Paths == nil {
		engine.Use(middleware(policy))
	}
	application(engine)
	for _, path := range []string{"/public", "/private"} {
		group := engine.Group(path)
		if rule, found := rules[path]; found {
			group.Use(middleware(rule))
		}
		handle(group, "/r", resource)
	}
	log.Fatal(engine.Run(net.JoinHostPort(os.Getenv("CORSCHECK_HOST"), os.Getenv("CORSCHECK_PORT"))))
}
