package server

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"
)

// contract is the OpenAPI document. Tests hold it to the routes, to the row types and to what is answered.
//
//go:embed openapi.yaml
var contract []byte

var contractJSON = sync.OnceValues(func() ([]byte, error) {
	var document any
	if err := yaml.Unmarshal(contract, &document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
})

func (s *Server) getOpenAPIYAML(r *http.Request) (any, error) {
	return file{"application/yaml", contract}, parse(r).err()
}

func (s *Server) getOpenAPIJSON(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	body, err := contractJSON()
	return file{"application/json", body}, err
}
