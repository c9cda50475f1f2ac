package main

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

func answer(c *gin.Context, status int, body string) {
	c.Header("X-App", "corscheck")
	c.Data(status, "text/plain", []byte(body))
}

func resource(c *gin.Context) {
	c.Writer.Header().Add("Vary", "Accept-Language")
	c.Header("X-Secret", "secret")
	c.Header("X-Other", "other")
	c.Header("ETag", `"r"`)
	c.Header("Cache-Control", "max-age=600")
	answer(c, http.StatusOK, "resource")
}

// handle is Any with a method that gin does not count as one.
func handle(router gin.IRouter, path string, handler gin.HandlerFunc) {
	router.Any(path, handler)
	router.Handle("PURGE", path, handler)
}

func application(router gin.IRouter) {
	png, _ := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
	handle(router, "/r", resource)
	for _, status := range []int{401, 403, 404, 405, 413} {
		status := status
		handle(router, "/"+strconv.Itoa(status), func(c *gin.Context) { answer(c, status, "error") })
	}
	handle(router, "/500", func(c *gin.Context) { panic("the handler fails") })
	handle(router, "/302", func(c *gin.Context) {
		location := "/r"
		if c.Request.URL.RawQuery != "" {
			location += "?" + c.Request.URL.RawQuery
		}
		c.Header("X-App", "corscheck")
		c.Redirect(http.StatusFound, location)
	})
	router.GET("/304", func(c *gin.Context) {
		c.Header("X-App", "corscheck")
		c.Header("ETag", `"r"`)
		c.Status(http.StatusNotModified)
	})
	handle(router, "/dup", func(c *gin.Context) {
		c.Header("Access-Control-Allow-Origin", "https://handler.test")
		resource(c)
	})
	handle(router, "/opt", func(c *gin.Context) {
		if c.Request.Method == http.MethodOptions {
			answer(c, http.StatusOK, "own options")
		} else {
			answer(c, http.StatusOK, "no options")
		}
	})
	handle(router, "/slow", func(c *gin.Context) {
		time.Sleep(300 * time.Millisecond)
		resource(c)
	})
	handle(router, "/img", func(c *gin.Context) {
		c.Header("X-App", "corscheck")
		c.Data(http.StatusOK, "image/png", png)
	})
	router.GET("/get", resource)
}
