package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("X-App", "corscheck")
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func resource(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept-Language")
	w.Header().Set("X-Secret", "secret")
	w.Header().Set("X-Other", "other")
	w.Header().Set("ETag", `"r"`)
	w.Header().Set("Cache-Control", "max-age=600")
	answer(w, http.StatusOK, "resource")
}

func application() http.Handler {
	png, _ := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
	mux := http.NewServeMux()
	for _, path := range []string{"/r", "/public/r", "/private/r"} {
		mux.HandleFunc(path, resource)
	}
	for _, status := range []int{401, 403, 404, 405, 413} {
		status := status
		mux.HandleFunc(fmt.Sprint("/", status), func(w http.ResponseWriter, r *http.Request) { answer(w, status, "error") })
	}
	mux.HandleFunc("/500", func(w http.ResponseWriter, r *http.Request) { panic("the handler fails") })
	mux.HandleFunc("/302", func(w http.ResponseWriter, r *http.Request) {
		location := "/r"
		if r.URL.RawQuery != "" {
			location += "?" + r.URL.RawQuery
		}
		w.Header().Set("X-App", "corscheck")
		http.Redirect(w, r, location, http.StatusFound)
	})
	mux.HandleFunc("/304", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App", "corscheck")
		w.Header().Set("ETag", `"r"`)
		w.WriteHeader(http.StatusNotModified)
	})
	mux.HandleFunc("/dup", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://handler.test")
		resource(w, r)
	})
	mux.HandleFunc("/opt", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			answer(w, http.StatusOK, "own options")
		} else {
			answer(w, http.StatusOK, "no options")
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		resource(w, r)
	})
	mux.HandleFunc("/img", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App", "corscheck")
		w.Header().Set("Content-Type", "image/png")
		w.Write(png)
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		resource(w, r)
	})
	return mux
}
