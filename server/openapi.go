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

func (s *Server) getOpenAPIYAML(*http.Request) (any, error) {
	return file{"application/yaml", contract}, nil
}

func (s *Server) getOpenAPIJSON(*http.Request) (any, error) {
	body, err := contractJSON()
	return file{"application/json", body}, err
}
